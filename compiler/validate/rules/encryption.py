"""Rules about TLS: who offers it, who speaks it, and whether certificates are renewed in time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from compiler.model.chart import Provision
from compiler.model.diagnostic import Severity
from compiler.model.instance import Binding, Instance
from compiler.model.manifest import Field, Manifest, ObjectId
from compiler.model.node import Node, Origin, ScalarNode, dotted
from compiler.relations.addresses import Address, Mention, mentions, says_tls
from compiler.relations.duration import seconds
from compiler.relations.untyped import Map, items, mapping
from compiler.validate.pods import Pod, pod
from compiler.validate.rule import BUNDLE_RULES, SITE_RULES, Finding, Subject, View, rule
from compiler.validate.texts import Text, texts

_SWITCH: Final = ("tls", "enabled")
_TITLE: Final = "what can be encrypted is, or somebody says that it is not"
_LASTS: Final = "2160h"
_LONG_RUNNING: Final = frozenset({"Deployment", "StatefulSet", "DaemonSet"})
_RELOADER: Final = "reloader.stakater.com/"


@rule(SITE_RULES, "OS041", _TITLE, promise=True)
def encrypted(view: View) -> Iterator[Finding]:
    """Check that every provision is encrypted or said to be plain, and that both ends of each binding agree.

    The contract of a chart says of each provision which component's certificate clients see (`tls`), that its `scheme`
    is `https`, or why it is `plaintext`; a warning where it says neither. One that can be encrypted is, or a layer of
    the site says `tls: {enabled: false}`: a default of the chart is a warning where the site is not for development.

    A consumer of an encrypted provider must speak TLS: the addresses it renders, and the options beside them, are read
    (`http`, `amqp`, `redis`, `tcp:` are plain, `mysql` is without a query like `ssl_ca`, `rabbit` is without
    `[oslo_messaging_rabbit] ssl`). Where nothing tells, it must at least read the provider's authority. A consumer of a
    plain provider must not speak TLS.

    A certificate that cert-manager makes is renewed before it ends (`renewBefore`), and whoever serves with it takes
    the new one into use: the component says how (`reload` in component.yaml), or its workload bears Reloader's
    annotation. A mount with `subPath`, and a variable, never change in a running pod.

    Why it matters: a password that goes over a network in the clear is everybody's. A client that talks plainly to a
    server that does not is down, and so is each client on the day that a certificate which nobody loads anew ends.

    Example: `tls: {enabled: true}` for a database whose clients connect without `ssl_ca`.

    Use instead: both ends with TLS, or `tls: {enabled: false}` in the site's `defaults`, which a review sees.
    """
    for instance in view.instances:
        for provision in instance.chart.contract.provides if instance.chart.contract else ():
            yield from _offered(view, instance, provision)
        for binding in instance.bindings:
            yield from _agreed(view, instance, binding)


def _offered(view: View, instance: Instance, provision: Provision) -> Iterator[Finding]:
    """What is wrong with how ``instance`` offers ``provision``."""
    contract, name = instance.chart.contract, provision.name
    service = ObjectId(instance.namespace, "Service", "", provision.service_name(instance.name))
    where = Field(instance.name, service)
    if contract is not None and contract.shipped and not _is_declared(provision):
        message = f"the contract of `{instance.chart.name}` offers `{name}` and does not say whether it is encrypted"
        hint = "`tls: <component>`, whose certificate clients see; or `plaintext: <why>`"
        yield Finding(message, provision.origin, hint, where, severity=Severity.WARNING)
    switch = instance.values.get(*_SWITCH)
    if provision.tls is None or _is_on(switch) or view.site.development:
        return
    if switch is None or switch.origin.file.startswith(f"{instance.chart.path}/"):
        message = f"`{name}` of `{instance.name}` is served in plain text, and no layer of the site says so"
        hint = f"`{dotted(_SWITCH)}: true`; or `false`, to say that this site's network is trusted"
        origin = switch.origin if switch is not None else instance.origin
        yield Finding(message, origin, hint, where, severity=Severity.WARNING)


def _is_declared(provision: Provision) -> bool:
    return bool(provision.tls or provision.plaintext or provision.scheme == "https")


def _is_on(switch: Node | None) -> bool:
    return isinstance(switch, ScalarNode) and switch.value is True


def _agreed(view: View, instance: Instance, binding: Binding) -> Iterator[Finding]:
    """Where ``instance`` speaks otherwise than the provider of ``binding`` listens."""
    consumer, provision = view.owner(instance.name), binding.provision
    encrypted = "tls" in binding.published or provision.scheme == "https"
    if consumer is None or not (encrypted or _is_plain(provision)):
        return
    said = _mentions(consumer, binding)
    wrong = [(text, mention) for text, mention in said if mention.encrypted is (not encrypted)]
    if wrong:
        yield _spoken(view, consumer, binding, wrong, encrypted=encrypted)
    elif encrypted and not any(mention.encrypted for _, mention in said) and not _reads(consumer, binding):
        yield from _silent(view, consumer, binding)


def _is_plain(provision: Provision) -> bool:
    """Whether it is known to be plain where it is not encrypted."""
    return bool(provision.tls or provision.plaintext or provision.scheme == "http")


def _mentions(consumer: Subject, binding: Binding) -> list[tuple[Text, Mention]]:
    """Every address of the provider in what the consumer rendered, and the text that it stands in."""
    address = Address(_hosts(binding), binding.provision.port)
    found = list(texts(consumer))
    tls = any(says_tls(text.key, text.content) for text in found)
    return [(text, mention) for text in found for mention in mentions(text.content, address, broker_tls=tls)]


def _hosts(binding: Binding) -> tuple[str, ...]:
    members = binding.published.get("members")
    listed = [binding.published.get("host"), *(members if isinstance(members, list) else ())]
    return tuple(str(host) for host in listed if host)


def _spoken(
    view: View, consumer: Subject, binding: Binding, wrong: list[tuple[Text, Mention]], *, encrypted: bool
) -> Finding:
    text, mention = wrong[0]
    place = consumer.field(text.manifest, *text.path)
    more = f", and {len(wrong) - 1} more" if wrong[1:] else ""
    who = f"`{consumer.owner.name}`", f"`{binding.provision.name}` of `{binding.provider}`"
    where = f"`{mention.shown}` in {text.manifest.id}{more}"
    if encrypted:
        message = f"{who[0]} talks plainly to {who[1]}, which is encrypted ({where})"
        hint = f"TLS in `{consumer.owner.name}`, with the authority in `bindings.{binding.requirement.name}.tls`"
        return Finding(message, _switch(view, binding), f"{hint}; or `{dotted(_SWITCH)}: false` here", place)
    message = f"{who[0]} speaks TLS to {who[1]}, which is plain ({where})"
    hint = f"`{dotted(_SWITCH)}: true` for `{binding.provider}`" if binding.provision.tls else "an address without TLS"
    return Finding(message, consumer.origin(text.manifest), hint, place)


def _silent(view: View, consumer: Subject, binding: Binding) -> Iterator[Finding]:
    """Nothing tells that the consumer speaks TLS; said of its first workload."""
    pods = (each for each in consumer.bundle.manifests if each.workload is not None)
    first = next(pods, None)
    if first is not None:
        message = (
            f"`{binding.provision.name}` of `{binding.provider}` is encrypted, but nothing that "
            f"`{consumer.owner.name}` renders speaks TLS to it or reads its authority"
        )
        hint = f"the key `ca.crt` of `bindings.{binding.requirement.name}.tls.secretName` in the pods that need it"
        yield Finding(message, _switch(view, binding), hint, consumer.field(first))


def _switch(view: View, binding: Binding) -> Origin:
    """Where somebody switched the provider's TLS on."""
    provider = next((each for each in view.instances if each.name == binding.provider), None)
    node = provider.values.get(*_SWITCH) if provider is not None else None
    return node.origin if node is not None else binding.origin


def _reads(consumer: Subject, binding: Binding) -> bool:
    """Whether any of the consumer's objects names the Secret with the provider's authority."""
    tls = binding.published.get("tls")
    name = tls.get("secretName") if isinstance(tls, Mapping) else None
    return any(
        reference.kind == "Secret" and reference.name == name
        for manifest in consumer.bundle.manifests
        for reference in manifest.references
    )


@rule(BUNDLE_RULES, "OS041", _TITLE, promise=True)
def renewed(subject: Subject) -> Iterator[Finding]:
    """Check that certificates are renewed and taken into use; the page is that of the rule on both ends."""
    made: set[str] = set()
    for manifest in subject.bundle.manifests:
        if manifest.id.kind == "Certificate" and manifest.id.group == "cert-manager.io":
            spec = mapping(subject.data(manifest), "spec")
            made.add(str(spec.get("secretName")))
            yield from _in_time(subject, manifest, spec)
    for manifest in subject.bundle.manifests:
        found = pod(manifest.id.group, manifest.id.kind, subject.data(manifest))
        if found is not None and manifest.id.kind in _LONG_RUNNING:
            yield from _taken_up(subject, manifest, found, made)


def _in_time(subject: Subject, manifest: Manifest, spec: Map) -> Iterator[Finding]:
    if "renewBeforePercentage" in spec:
        return
    before, lasts = spec.get("renewBefore"), spec.get("duration", _LASTS)
    if before is None:
        message = f"{manifest.id} does not say when it is renewed (`renewBefore`)"
        yield Finding(message, subject.origin(manifest), "`renewBefore: 720h`", subject.field(manifest, "spec"))
        return
    ahead, whole = seconds(str(before)), seconds(str(lasts))
    if ahead is not None and whole is not None and ahead >= whole:
        message = f"{manifest.id} lasts {lasts} and is renewed {before} before its end: at once, and for ever"
        where = subject.field(manifest, "spec", "renewBefore")
        yield Finding(message, subject.origin(manifest), "`renewBefore`: a third of `duration`", where)


def _taken_up(subject: Subject, manifest: Manifest, found: Pod, made: set[str]) -> Iterator[Finding]:
    """What keeps pods from a renewed certificate among ``made``."""
    held = dict(_certificates(found, made))
    for container in found.containers:
        for number, mount in enumerate(items(container.spec, "volumeMounts")):
            name = str(mount.get("name"))
            if name in held and ("subPath" in mount or "subPathExpr" in mount):
                message = f"{manifest.id} mounts a file of Secret {held[name]} alone, which never changes in a pod"
                where = subject.field(manifest, *container.path, "volumeMounts", number)
                yield Finding(message, subject.origin(manifest), "mount the whole volume", where, container.name)
    told = any(key.startswith(_RELOADER) or f".{_RELOADER}" in key for key in _annotations(subject, manifest, found))
    if held and not told and manifest.component not in subject.owner.reloading:
        secret = next(iter(held.values()))
        message = f"{manifest.id} serves with Secret {secret}, and nothing says that it loads a renewed one"
        hint = "`reload: <how>` for the component in component.yaml, or an annotation of Reloader"
        yield Finding(message, subject.origin(manifest), hint, subject.field(manifest))


def _certificates(found: Pod, made: set[str]) -> Iterator[tuple[str, str]]:
    """The volumes that hold a certificate, not its authority alone: their names, and those of the Secrets."""
    for volume in items(found.spec, "volumes"):
        sources = (mapping(each, "secret") for each in items(volume, "projected", "sources"))
        for source, key in ((mapping(volume, "secret"), "secretName"), *((each, "name") for each in sources)):
            keys = {str(item.get("key")) for item in items(source, "items")}
            if source.get(key) in made and keys != {"ca.crt"}:
                yield str(volume.get("name")), str(source[key])


def _annotations(subject: Subject, manifest: Manifest, found: Pod) -> set[str]:
    return {*mapping(subject.data(manifest), "metadata", "annotations"), *found.annotations}
