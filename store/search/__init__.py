"""Search over the posts: one request, two engines that answer it, :mod:`embedded` and :mod:`elastic`."""
