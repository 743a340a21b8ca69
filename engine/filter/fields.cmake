# Sources and tests of the field part.
