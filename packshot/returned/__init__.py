"""Read a picture and its matte as an editor returned them, and check them before another person looks."""
