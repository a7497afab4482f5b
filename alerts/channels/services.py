"""Every service that apprise knows, loaded on import: by the process that those of :mod:`alerts.channels.apprise` are
forked from, and by nothing else."""

import apprise

apprise.Apprise().add("json://localhost")
