"""Keys of one keystone in a cache that several may use.

keystone's keys are the same in every keystone (``get_domain("default")``), so two of them that share caches would read
each other's answers. oslo.cache wraps its backend in the classes that ``[cache] proxies`` names; this one
puts the instance in front of each key.
"""

import os

from dogpile.cache.proxy import ProxyBackend

INSTANCE = os.environ["KEYSTONE_INSTANCE"]


def own(key):
    """The key as this instance writes it; text and bytes both occur."""
    return INSTANCE.encode() + b":" + key if isinstance(key, bytes) else f"{INSTANCE}:{key}"


class InstanceProxy(ProxyBackend):
    """Delegates to the backend with this instance's keys."""

    def get(self, key):
        return self.proxied.get(own(key))

    def set(self, key, value):
        self.proxied.set(own(key), value)

    def delete(self, key):
        self.proxied.delete(own(key))

    def get_multi(self, keys):
        return self.proxied.get_multi([own(key) for key in keys])

    def set_multi(self, mapping):
        self.proxied.set_multi({own(key): value for key, value in mapping.items()})

    def delete_multi(self, keys):
        self.proxied.delete_multi([own(key) for key in keys])

    def get_mutex(self, key):
        return self.proxied.get_mutex(own(key))

    def get_serialized(self, key):
        return self.proxied.get_serialized(own(key))

    def get_serialized_multi(self, keys):
        return self.proxied.get_serialized_multi([own(key) for key in keys])

    def set_serialized(self, key, value):
        self.proxied.set_serialized(own(key), value)

    def set_serialized_multi(self, mapping):
        self.proxied.set_serialized_multi({own(key): value for key, value in mapping.items()})
