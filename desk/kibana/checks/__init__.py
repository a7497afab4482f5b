"""The parts of :mod:`desk.kibana.check`: fields and queries, Lens charts, maps."""
