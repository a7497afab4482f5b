"""Messages: what a telephone, a mailbox and a machine are told."""
