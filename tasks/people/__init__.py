"""Give people their work and take it back: ask questions, follow answers, and collect and check returned files.

A job is one shot's work for an editor. Its ticket is the page or file that says what to do, with links to the pictures.
"""
