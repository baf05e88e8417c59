"""What options the services of a release have, and what is wrong with a file that sets them.

The data in ``data/`` is made by ``build`` from the packages of each release, as their own generator of sample files
sees them. ``load`` gives the options of one service, ``libraries`` those that services share; ``covered``,
``service_of`` and ``release_of`` say what there is. The rules on
configuration find ``check_files`` and ``check_environment`` in ``compiler.catalogue.check``: that module loads
oslo.config, and a compile that has nothing new to check need not.
"""

from compiler.catalogue.option import Mistake, Options
from compiler.catalogue.read import covered, libraries, load, release_of, service_of

__all__ = ["Mistake", "Options", "covered", "libraries", "load", "release_of", "service_of"]
