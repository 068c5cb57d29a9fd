"""Do the work around the pixels: storage, records, retries, caching, settings, people's work, and Prefect's pages.

Nothing is measured or edited here. Tasks of Prefect fetch from storage, call `packshot`, and store what it returns.
"""
