"""Answer the requests for the desk's pages: each module answers some of their addresses."""
