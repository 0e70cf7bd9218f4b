"""Small plugins for the tests: fast, without heavy libraries, some of them bad on purpose."""
