"""The draft of a neck joint (ghost mannequin): the mannequin, the neck shot in its place, and both in one layered file.

The *exterior* shows the garment on its mannequin. The *neck shot* shows the garment's inside. In the finished picture
the neck shot fills the opening where the mannequin was.
"""
