"""When and where: schedules, the work pool, the parameters shown in the UI, and the command line over all floors."""
