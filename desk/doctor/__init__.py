"""The looks of `vigie doctor`: each says how one thing is, and what to do where it is not well."""
