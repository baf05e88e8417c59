"""The rules, grouped as the rule list groups them."""

<<<<<<< HEAD
from compiler.validate.rules import credentials, jobs, naming, ordering, references, rendering, resilience, schema

LOADED = (credentials, jobs, naming, ordering, references, rendering, resilience, schema)
=======
from compiler.validate.rules import credentials, jobs, naming, references, rendering, resilience, schema, waits

LOADED = (credentials, jobs, naming, references, rendering, resilience, schema, waits)
>>>>>>> 4d20f3d (instances, validate: addresses and providers inferred from endpoints; what would wait for ever is an error)
