"""From a photo to its sketch and the files of it; and many of them, each made once."""
