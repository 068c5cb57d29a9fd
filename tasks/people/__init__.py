"""Do what people's work needs: jobs, tickets, questions, answers, and returned files."""
