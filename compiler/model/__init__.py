"""The nouns that travel between rooms, and the words this project uses.

=============  ==========================================================================
environment    a named description of a site, or of what several sites share (abstract)
layer          one file's contribution: an environment of the ``extends`` chain, or an overlay
origin         the file, line and column that set a value
node           a value that knows its origin, and what it overrode
chart          a native Helm chart, with its contract ``component.yaml``
instance       one use of a chart in a site; its name is the Helm release name
component      one workload of a chart: ``keystone/api``, ``mariadb/server``
requirement    what a chart needs, under a name of its own (``database``)
provision      what a chart offers, as a named interface (``mysql``)
binding        a requirement of one instance, met by a provision of another
manifest       one rendered Kubernetes object
bundle         every manifest of one instance (or of the site itself)
gate           an edge that must be satisfied before an object is applied or a pod starts
wave           the level of an object in the site's ordering graph
tree           every output path with its bytes; nothing is written before it is known
=============  ==========================================================================

Everything here is frozen: two runs of the compiler can be compared with ``==``.
"""
