"""Give tasks and flows what surrounds their process: settings, configs, log, disk, and addresses of pages."""
