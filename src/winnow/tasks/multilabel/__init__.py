"""Which classes does a picture show: none, one or several?"""
