"""Benches: each file that does not begin with an underscore is a subcommand of ``vigie bench`` named ``command``."""
