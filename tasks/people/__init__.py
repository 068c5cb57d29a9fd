"""People's work: jobs, tickets, questions, answers, and returned files."""
