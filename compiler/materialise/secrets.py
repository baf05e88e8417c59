"""Which Secrets a site needs, and where each of them comes from."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass

from compiler.errors import InputError
from compiler.model.chart import SecretKey, SecretSpec
from compiler.model.data import Data
from compiler.model.diagnostic import Diagnostic
from compiler.model.instance import Instance
from compiler.model.names import InstanceName, NamespaceName, object_name
from compiler.model.site import Site

_DEVELOPMENT = b"oscompile: derived for development, not secret"


@dataclass(frozen=True, slots=True)
class Need:
    """One Secret that must exist in the cluster.

    ``path`` names it in the site's store: ``<site>/<namespace>/<instance>/<secret>`` of the instance that declares
    it. A provider's copy of its consumer's Secret has the consumer's path: the value is written once.
    """

    instance: InstanceName
    namespace: NamespaceName
    name: str
    path: str
    spec: SecretSpec


def needs(site: Site, instances: tuple[Instance, ...]) -> tuple[Need, ...]:
    """Every Secret that the charts of ``instances`` declare, and every copy that a provider reads, in order."""
    found = [need for instance in instances for need in (*_own(site, instance), *_copies(site, instance, instances))]
    return tuple(sorted(found, key=lambda need: (need.namespace, need.name)))


def _own(site: Site, instance: Instance) -> Iterator[Need]:
    for spec in instance.chart.contract.secrets if instance.chart.contract else ():
        yield Need(
            instance.name,
            instance.namespace,
            object_name(instance.name, spec.name),
            f"{site.name}/{instance.namespace}/{instance.name}/{spec.name}",
            spec,
        )


def _copies(site: Site, provider: Instance, instances: tuple[Instance, ...]) -> Iterator[Need]:
    by_name = {instance.name: instance for instance in instances}
    for consumer in provider.consumers:
        declared = {need.spec.name: need for need in _own(site, by_name[consumer.instance])}
        source = declared.get(consumer.requirement.secret or "")
        if source is not None and "secretName" in consumer.published:
            name = object_name(provider.name, consumer.key)
            yield Need(provider.name, provider.namespace, name, source.path, source.spec)


def object_of(need: Need, site: Site) -> tuple[str, str, dict[str, Data]]:
    """API version, kind and body of the object that materialises ``need`` on the backend of ``site``."""
    if site.secrets.backend == "development":
        return "v1", "Secret", _development(need)
    return "external-secrets.io/v1", "ExternalSecret", _external(need, site)


def refuse_derived_secrets(site: Site) -> None:
    """Raise ``InputError`` where a site that is not for development would use derived Secrets."""
    if site.secrets.backend == "development" and not site.development:
        message = (
            "the secrets backend `development` writes derived Secrets into Git, and must only be used by an "
            f"environment marked `development: true`, but `{site.name}` is not"
        )
        raise InputError([Diagnostic(message, site.secrets.origin, "`backend: external-secrets`")])


def _external(need: Need, site: Site) -> dict[str, Data]:
    """As external-secrets.io/v1 has it; a Secret that the cluster itself changes is fetched once and never again."""
    lifecycle: dict[str, Data] = {"refreshPolicy": "Periodic", "refreshInterval": "1h0m0s"}
    if need.spec.runtime:
        lifecycle = {"refreshPolicy": "CreatedOnce"}
    return {
        "spec": {
            **lifecycle,
            "secretStoreRef": {"kind": site.secrets.store_kind, "name": site.secrets.store},
            "target": {
                "name": need.name,
                "creationPolicy": "Orphan" if need.spec.runtime else "Owner",
                "deletionPolicy": "Retain",
            },
            "data": [
                {"secretKey": key, "remoteRef": {"key": need.path, "property": key}} for key in sorted(need.spec.keys)
            ],
        }
    }


def _development(need: Need) -> dict[str, Data]:
    values = {key: derived(f"{need.path}/{key}", spec) for key, spec in sorted(need.spec.keys.items())}
    return {
        "type": "Opaque",
        "data": {key: base64.b64encode(value.encode()).decode() for key, value in values.items()},
    }


def derived(path: str, spec: SecretKey) -> str:
    """A value that looks right and is the same on every machine: derived from the name alone, so no secret at all."""
    stream = b"".join(hmac.digest(_DEVELOPMENT, f"{path}#{block}".encode(), hashlib.sha256) for block in range(8))
    match spec.generate:
        case "fernet":
            return base64.urlsafe_b64encode(stream[:32]).decode()
        case "hex":
            return stream.hex()[: spec.length]
        case _:
            letters = base64.b64encode(stream).decode().replace("+", "").replace("/", "")
            return letters[: spec.length]
