"""opcheck"""
