"""Outcomes: figures about the finished work, counted from records. Daily reports and reports on returns."""
