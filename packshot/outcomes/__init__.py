"""Figures about finished work, counted from records: the daily report and the report on returns."""
