"""Work of people: jobs, tickets, questions, their answers, and the files that they return."""
