from serab_core import hookimpl


@hookimpl
def serab_register_commands(app):
    pass
