"""The image: its Dockerfile, the locks of its packages, and a base for it where no image registry is reached."""
