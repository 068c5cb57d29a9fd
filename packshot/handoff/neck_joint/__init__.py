"""The draft of a neck joint: find the mannequin, place the neck shot, and put both in one layered file."""
