"""Store: the records every room shares, the database that keeps them, and search over them."""
