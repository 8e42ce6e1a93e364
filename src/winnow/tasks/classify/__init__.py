"""Which class does a picture belong to?"""
