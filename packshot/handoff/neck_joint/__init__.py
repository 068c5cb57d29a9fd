"""Draft a neck joint (ghost mannequin) for an editor: find the mannequin, place the neck shot, layer both in one file.

The *exterior* shows the garment on its mannequin. The *neck shot* shows the garment's inside. In the finished picture
the neck shot fills the opening where the mannequin was.
"""
