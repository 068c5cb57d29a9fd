"""Count finished work from the shots' records, for the daily report and the report on return rates."""
