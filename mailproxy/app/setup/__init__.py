"""Set up an account: find its servers, write the routes, and tell what to enter where."""
