# SPDX-License-Identifier: Apache-2.0
"""What the formats of reports ask for, written down from their specifications: which members there may be, which there must
be, and what they may hold. Sources are named beside each."""
import calendar
import ipaddress
import re
import time

ISO = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$")


class Shape:
    """An object: members by name with what each may be; required ones, and groups of which one must be there."""

    def __init__(self, members, required=(), one_of=(), others=False):
        self.members, self.required, self.one_of, self.others = members, required, one_of, others


class ListOf:
    def __init__(self, item, least=0):
        self.item, self.least = item, least


class OneOf(frozenset):
    """Values that are allowed."""


class Lazy:
    """A shape that is defined later, or that holds itself."""

    def __init__(self, find):
        self.find = find


def is_ip(value):
    try:
        ipaddress.ip_address(value)
        return True
    except ValueError:
        return False


def iso(value):
    return isinstance(value, str) and ISO.match(value) is not None


def integer(value):
    return isinstance(value, int) and not isinstance(value, bool)


def natural(value):
    return integer(value) and value >= 0


def text(value):
    return isinstance(value, str)


def filled(value):
    return isinstance(value, str) and value != ""


def boolean(value):
    return isinstance(value, bool)


def port(value):
    return natural(value) and value <= 65535


def hostname(value):
    """One name."""
    return filled(value) and not re.search(r"\s", value)


def number(value):
    return integer(value) or isinstance(value, float)


def ip(value):
    return isinstance(value, str) and is_ip(value)


def anything(_):
    return True


def check(value, shape, where="$"):
    """What is wrong, as texts."""
    if isinstance(shape, Lazy):
        return check(value, shape.find(), where)
    if isinstance(shape, OneOf):
        return [] if value in shape else ["%s: %r is not one of %s" % (where, value, sorted(map(str, shape)))]
    if isinstance(shape, ListOf):
        if not isinstance(value, list) or len(value) < shape.least:
            return ["%s: expected a list of at least %d, got %.60r" % (where, shape.least, value)]
        return [e for i, item in enumerate(value) for e in check(item, shape.item, "%s[%d]" % (where, i))]
    if not isinstance(shape, Shape):
        return [] if shape(value) else ["%s: %.60r is not %s" % (where, value, shape.__name__)]
    if not isinstance(value, dict):
        return ["%s: expected an object, got %.60r" % (where, value)]
    wrong = ["%s: %s is missing" % (where, name) for name in shape.required if name not in value]
    wrong += ["%s: none of %s" % (where, ", ".join(group)) for group in shape.one_of if not any(n in value for n in group)]
    for name, member in value.items():
        if name in shape.members:
            wrong += check(member, shape.members[name], where + "." + name)
        elif not shape.others:
            wrong.append("%s: there is no %r in this format" % (where, name))
    return wrong


# --- OCSF 1.6.0: ocsf-schema, events/base_event.json, events/findings/{finding,detection_finding}.json and objects/*.json; what
# is required there is required here. Only members that reports use are listed, so that a slip of the pen is found.

OCSF_TIMES = {n: natural for n in ("created_time", "terminated_time")}
OCSF_TIMES.update({n + "_dt": iso for n in OCSF_TIMES})
OCSF_USER = Shape({"name": filled, "uid": filled}, one_of=[("account", "name", "uid")])
OCSF_HASH = Shape({"algorithm_id": OneOf([3]), "algorithm": OneOf(["SHA-256"]), "value": filled}, ["algorithm_id", "value"])
OCSF_FILE = Shape({"name": filled, "type_id": OneOf([0, 1, 2, 3, 4, 5, 6, 7, 8, 99]), "path": filled, "hashes": ListOf(OCSF_HASH, 1)},
                  ["name", "type_id"])
OCSF_IMAGE = Shape({"uid": filled, "name": filled}, ["uid"])
OCSF_CONTAINER = Shape({"uid": filled, "name": filled, "image": OCSF_IMAGE}, one_of=[("uid", "name")])
OCSF_ENTITY_MEMBERS = {"name": text, "pid": integer, "uid": filled, "cmd_line": text, "path": filled, "created_time": natural,
                       "created_time_dt": iso}
OCSF_ENTITY = Shape(OCSF_ENTITY_MEMBERS, one_of=[("cmd_line", "name", "path", "pid", "uid", "cpid")])
OCSF_PROCESS = Shape(dict(OCSF_ENTITY_MEMBERS, terminated_time=natural, terminated_time_dt=iso, file=OCSF_FILE, user=OCSF_USER,
                          working_directory=filled, session=Shape({"uid": filled}), container=OCSF_CONTAINER, namespace_pid=integer,
                          ptid=integer, parent_process=Lazy(lambda: OCSF_PROCESS), ancestry=ListOf(OCSF_ENTITY, 1)),
                     one_of=[("pid", "uid", "cpid")])
OCSF_ENDPOINT = Shape({"ip": ip, "port": port, "hostname": hostname}, one_of=[("ip", "uid", "name", "hostname", "svc_name")])
OCSF_CONNECTION = Shape({"direction_id": OneOf([0, 1, 2]), "direction": OneOf(["Unknown", "Inbound", "Outbound"]),
                         "protocol_name": filled, "protocol_num": OneOf([6, 17]), "protocol_ver_id": OneOf([0, 4, 6])}, ["direction_id"])
OCSF_OS = Shape({"name": OneOf(["Linux"]), "type_id": OneOf([200]), "type": OneOf(["Linux"])}, ["name", "type_id"])
OCSF_DEVICE = Shape({"type_id": OneOf([0]), "type": OneOf(["Unknown"]), "hostname": filled, "os": OCSF_OS}, ["type_id"])
OCSF_EVIDENCE_PARTS = ("actor", "api", "connection_info", "data", "database", "databucket", "device", "dst_endpoint", "email", "file",
                       "process", "query", "resources", "src_endpoint", "url", "user", "job", "script")
OCSF_EVIDENCE = Shape({"name": filled, "uid": filled, "process": OCSF_PROCESS, "user": OCSF_USER, "file": OCSF_FILE,
                       "connection_info": OCSF_CONNECTION, "src_endpoint": OCSF_ENDPOINT, "dst_endpoint": OCSF_ENDPOINT,
                       "container": OCSF_CONTAINER, "device": OCSF_DEVICE}, one_of=[OCSF_EVIDENCE_PARTS])
OCSF_NAMED = Shape({"uid": filled, "name": filled}, one_of=[("uid", "name")])
OCSF_ATTACK = Shape({"tactic": OCSF_NAMED, "technique": OCSF_NAMED, "sub_technique": OCSF_NAMED},
                    one_of=[("tactic", "technique", "sub_technique")])
OCSF_ANALYTIC = Shape({"type_id": OneOf([1]), "type": OneOf(["Rule"]), "name": filled, "uid": filled}, ["type_id"], [("name", "uid")])
OCSF_FINDING_INFO = Shape({"uid": filled, "title": text, "desc": text, "created_time": natural, "created_time_dt": iso,
                           "analytic": OCSF_ANALYTIC, "attacks": ListOf(OCSF_ATTACK, 1), "data_sources": ListOf(filled, 1)}, ["uid", "title"])
OCSF_PRODUCT = Shape({"name": filled, "vendor_name": filled, "version": filled}, one_of=[("name", "uid")])
OCSF_METADATA = Shape({"version": OneOf(["1.6.0"]), "product": OCSF_PRODUCT, "profiles": ListOf(OneOf(["host", "datetime", "container"]), 1),
                       "uid": filled, "log_name": filled, "log_provider": filled, "original_time": filled, "sequence": natural,
                       "labels": ListOf(text)}, ["version", "product"])
OCSF_OBSERVABLE = Shape({"name": filled, "type_id": OneOf([1, 2, 4, 7, 8, 9]), "type": filled, "value": filled}, ["name", "type_id"])
OCSF_FINDING = Shape({
    "activity_id": OneOf([1]), "activity_name": OneOf(["Create"]), "category_uid": OneOf([2]), "category_name": OneOf(["Findings"]),
    "class_uid": OneOf([2004]), "class_name": OneOf(["Detection Finding"]), "type_uid": OneOf([200401]),
    "type_name": OneOf(["Detection Finding: Create"]), "time": natural, "time_dt": iso, "severity_id": OneOf([1, 2, 3, 4, 5, 6]),
    "severity": OneOf(["Informational", "Low", "Medium", "High", "Critical", "Fatal"]), "status_id": OneOf([1, 3]),
    "status": OneOf(["New", "Suppressed"]), "is_alert": OneOf([True]), "message": text, "metadata": OCSF_METADATA,
    "finding_info": OCSF_FINDING_INFO, "device": OCSF_DEVICE, "evidences": ListOf(OCSF_EVIDENCE, 1),
    "observables": ListOf(OCSF_OBSERVABLE, 1), "unmapped": Shape({}, others=True)},
    ["activity_id", "category_uid", "class_uid", "type_uid", "time", "severity_id", "metadata", "finding_info"])

# Captions of the numbers, as the schema's dictionary and objects have them.
OCSF_CAPTIONS = {
    "severity": {0: "Unknown", 1: "Informational", 2: "Low", 3: "Medium", 4: "High", 5: "Critical", 6: "Fatal", 99: "Other"},
    "status": {0: "Unknown", 1: "New", 2: "In Progress", 3: "Suppressed", 4: "Resolved", 5: "Archived", 6: "Deleted", 99: "Other"},
    "direction": {0: "Unknown", 1: "Inbound", 2: "Outbound", 3: "Lateral", 4: "Local", 99: "Other"},
    "algorithm": {0: "Unknown", 1: "MD5", 2: "SHA-1", 3: "SHA-256", 4: "SHA-512"},
}
OCSF_OBSERVABLES = {1: "Hostname", 2: "IP Address", 3: "MAC Address", 4: "User Name", 5: "Email Address", 6: "URL String", 7: "File Name", 8: "Hash",
                    9: "Process Name"}


def ocsf_pairs(value, where="$"):
    """Numbers whose caption beside them is another one's, and numbers of a class that do not fit each other."""
    wrong = []
    if isinstance(value, list):
        return [e for i, item in enumerate(value) for e in ocsf_pairs(item, "%s[%d]" % (where, i))]
    if not isinstance(value, dict):
        return []
    for name, captions in OCSF_CAPTIONS.items():
        if name in value and captions.get(value.get(name + "_id")) != value[name]:
            wrong.append("%s: %s is %r, but %s_id is %r" % (where, name, value[name], name, value.get(name + "_id")))
    for name, member in value.items():
        if name != "unmapped":
            wrong += ocsf_pairs(member, where + "." + name)
        if name.endswith("_dt") and value.get(name[:-3]) != milliseconds(member):
            wrong.append("%s: %s is not %s" % (where, name, name[:-3]))
    if "class_uid" in value and (value["type_uid"] != 100 * value["class_uid"] + value["activity_id"] or
                                 value["category_uid"] != value["class_uid"] // 1000 or
                                 value["type_name"] != value["class_name"] + ": " + value["activity_name"]):
        wrong.append("%s: class, category, activity and type do not fit" % where)
    return wrong


def milliseconds(text):
    whole, _, rest = text.rstrip("Z").partition(".")
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) * 1000 + int((rest + "000")[:3])


def ocsf_observables(finding):
    """Observables whose name leads to nothing that has their value, or whose type is called something else."""
    wrong = []
    for o in finding.get("observables", []):
        places = [finding]
        for step in o["name"].split("."):
            places = [p[step.removesuffix("[]")] for p in places if step.removesuffix("[]") in p]
            if step.endswith("[]"):
                places = [item for p in places for item in p]
        if o["value"] not in places:
            wrong.append("$.observables: %s is not %.60r" % (o["name"], o["value"]))
        if OCSF_OBSERVABLES.get(o["type_id"]) != o["type"]:
            wrong.append("$.observables: %r is not the type %r" % (o["type"], o["type_id"]))
    return wrong


# --- ECS 8.11: field reference; event.category and event.type with the pairs that are expected.

ECS_TYPES = {"intrusion_detection": {"allowed", "denied", "info"}, "process": {"access", "change", "end", "info", "start"},
             "file": {"access", "change", "creation", "deletion", "info"}, "session": {"start", "end", "info"},
             "network": {"access", "allowed", "connection", "denied", "end", "info", "protocol", "start"},
             "host": {"access", "change", "end", "info", "start"}, "driver": {"change", "end", "info", "start"}}
ECS_USER = Shape({"id": filled, "name": filled})
ECS_HASH = Shape({"sha256": filled})
ECS_PROCESS_MEMBERS = {
    "entity_id": filled, "pid": integer, "name": text, "executable": filled, "command_line": text, "args": ListOf(text, 1),
    "args_count": natural, "working_directory": filled, "start": iso, "end": iso, "exit_code": natural, "interactive": boolean,
    "user": ECS_USER, "group": Shape({"id": filled}), "hash": ECS_HASH, "thread": Shape({"id": integer})}
ECS_PROCESS = Shape(dict(ECS_PROCESS_MEMBERS, parent=Shape(ECS_PROCESS_MEMBERS)))
ECS_END = Shape({"address": filled, "ip": ip, "port": port, "bytes": natural, "domain": hostname})
ECS_IDS = Shape({"id": ListOf(filled, 1)})
ECS = Shape({
    "@timestamp": iso, "ecs": Shape({"version": OneOf(["8.11.0"])}, ["version"]), "message": text,
    "observer": Shape({"vendor": filled, "product": filled, "version": filled}),
    "event": Shape({"kind": OneOf(["alert", "event"]), "category": ListOf(OneOf(ECS_TYPES), 1), "type": ListOf(filled, 1), "action": filled,
                    "severity": natural, "risk_score": number, "id": filled, "module": OneOf(["scapula"]), "provider": filled,
                    "dataset": OneOf(["scapula.alert", "scapula.event"]), "sequence": natural}, ["kind", "category", "type"]),
    "log": Shape({"level": filled}), "tags": ListOf(text),
    "rule": Shape({"id": filled, "name": text, "description": text, "ruleset": filled}, ["id", "name"]),
    "threat": Shape({"framework": OneOf(["MITRE ATT&CK"]), "tactic": Shape({"id": ListOf(filled, 1), "name": ListOf(filled, 1)}),
                     "technique": Shape({"id": ListOf(filled, 1), "subtechnique": ECS_IDS}, ["id"])}, ["framework"]),
    "host": Shape({"name": filled, "hostname": filled, "os": Shape({"type": OneOf(["linux"])})}),
    "container": Shape({"id": filled, "name": filled, "image": Shape({"name": filled, "tag": ListOf(filled, 1)})}),
    "process": ECS_PROCESS, "user": ECS_USER, "file": Shape({"path": filled, "name": filled, "directory": filled, "extension": text}),
    "source": ECS_END, "destination": ECS_END,
    "network": Shape({"transport": filled, "type": OneOf(["ipv4", "ipv6"]), "direction": OneOf(["ingress", "egress"]), "bytes": natural}),
    "related": Shape({"hosts": ListOf(filled, 1), "ip": ListOf(ip, 1), "user": ListOf(filled, 1), "hash": ListOf(filled, 1)}),
    "scapula": Shape({}, others=True)}, ["@timestamp", "ecs", "event"])

# --- Timesketch: "Create timeline from JSONL or CSV file" of the user guide: three members must be there, timestamp is
# microseconds; its importer takes tag as a list.

TIMESKETCH = Shape({"message": filled, "datetime": iso, "timestamp": natural, "timestamp_desc": filled, "tag": ListOf(filled, 1)},
                   ["message", "datetime", "timestamp_desc"], others=True)


def mixed_types(objects, flat=False):
    """Members that have values of several types: what puts them into an index gives each one type. Arrays count as what is in them."""
    types, wrong = {}, []

    def walk(value, path):
        if isinstance(value, list):
            for item in value:
                walk(item, path)
            return
        kind = "object" if isinstance(value, dict) else "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else type(value).__name__
        types.setdefault(path, set()).add(kind)
        if kind == "object":
            if flat and path:
                wrong.append("%s is an object" % path)
            for name, member in value.items():
                if not path and flat and "." in name:
                    wrong.append("%s has a dot in it" % name)
                walk(member, path + "." + name if path else name)

    for o in objects:
        walk(o, "")
    return sorted(set(wrong)) + ["%s is %s" % (p, " and ".join(sorted(k))) for p, k in sorted(types.items()) if len(k) > 1]


# --- SARIF 2.1.0: OASIS standard and its schema; members that reports use.

SARIF_LEVEL = OneOf(["none", "note", "warning", "error"])
SARIF_BAG = Shape({"tags": ListOf(text)}, others=True)
SARIF_MESSAGE = Shape({"text": filled}, ["text"])
SARIF_ARTIFACT_LOCATION = Shape({"uri": lambda u: isinstance(u, str) and re.match(r"^(file:///)?[A-Za-z0-9._~/%-]+$", u) is not None,
                                 "index": natural})
SARIF_REGION = Shape({"byteOffset": natural, "byteLength": natural, "startLine": natural})
SARIF_PHYSICAL = Shape({"artifactLocation": SARIF_ARTIFACT_LOCATION, "region": SARIF_REGION}, one_of=[("address", "artifactLocation")])
SARIF_LOGICAL = Shape({"name": text, "fullyQualifiedName": filled, "kind": filled})
SARIF_LOCATION = Shape({"physicalLocation": SARIF_PHYSICAL, "logicalLocations": ListOf(SARIF_LOGICAL)})
SARIF_RULE = Shape({"id": filled, "shortDescription": SARIF_MESSAGE, "fullDescription": SARIF_MESSAGE, "help": SARIF_MESSAGE,
                    "defaultConfiguration": Shape({"level": SARIF_LEVEL, "enabled": boolean}), "properties": SARIF_BAG}, ["id"])
SARIF_TOOL = Shape({"driver": Shape({"name": filled, "version": filled, "rules": ListOf(SARIF_RULE)}, ["name"])}, ["driver"])
SARIF_ARTIFACT = Shape({"location": SARIF_ARTIFACT_LOCATION, "length": natural, "hashes": Shape({"sha-256": filled}, ["sha-256"]),
                        "roles": ListOf(OneOf(["analysisTarget", "userSpecifiedConfiguration"]), 1), "properties": SARIF_BAG})
SARIF_NOTIFICATION = Shape({"message": SARIF_MESSAGE, "level": SARIF_LEVEL, "locations": ListOf(SARIF_LOCATION), "properties": SARIF_BAG},
                           ["message"])
SARIF_INVOCATION = Shape({"commandLine": text, "executionSuccessful": boolean, "exitCode": integer, "startTimeUtc": iso, "endTimeUtc": iso,
                          "toolExecutionNotifications": ListOf(SARIF_NOTIFICATION)}, ["executionSuccessful"])
SARIF_SUPPRESSION = Shape({"kind": OneOf(["external"]), "status": OneOf(["accepted"]), "justification": text}, ["kind"])
SARIF_RESULT = Shape({"ruleId": text, "ruleIndex": natural, "level": SARIF_LEVEL, "kind": OneOf(["fail", "informational"]), "message": SARIF_MESSAGE,
                      "baselineState": OneOf(["new", "unchanged", "updated", "absent"]),
                      "locations": ListOf(SARIF_LOCATION, 1), "fingerprints": Shape({"scapulaAlert/v1": filled}),
                      "partialFingerprints": Shape({"scapulaFingerprint/v1": filled, "outputFields/v1": filled}), "suppressions": ListOf(SARIF_SUPPRESSION, 1),
                      "properties": SARIF_BAG}, ["message"])
SARIF_RUN = Shape({"tool": SARIF_TOOL, "artifacts": ListOf(SARIF_ARTIFACT), "invocations": ListOf(SARIF_INVOCATION, 1),
                   "automationDetails": Shape({"id": filled}), "columnKind": OneOf(["utf16CodeUnits", "unicodeCodePoints"]),
                   "results": ListOf(SARIF_RESULT), "properties": SARIF_BAG}, ["tool", "results"])
SARIF = Shape({"$schema": filled, "version": OneOf(["2.1.0"]), "runs": ListOf(SARIF_RUN)}, ["version", "runs"])

# --- ATT&CK Navigator: layer file format 4.5.

NAVIGATOR_METADATA = Shape({"name": filled, "value": filled}, ["name", "value"])
NAVIGATOR_TECHNIQUE = Shape({"techniqueID": lambda t: re.match(r"^T\d{4}(\.\d{3})?$", t) is not None, "tactic": filled, "comment": text,
                             "enabled": boolean, "score": number, "color": text, "metadata": ListOf(NAVIGATOR_METADATA),
                             "showSubtechniques": boolean}, ["techniqueID"])
NAVIGATOR = Shape({
    "name": filled, "versions": Shape({"attack": filled, "navigator": OneOf(["4.9.0"]), "layer": OneOf(["4.5"])}, ["navigator", "layer"]),
    "domain": OneOf(["enterprise-attack"]), "description": text, "sorting": OneOf([0, 1, 2, 3]),
    "layout": Shape({"layout": OneOf(["side", "flat", "mini"]), "showID": boolean, "showName": boolean, "showAggregateScores": boolean,
                     "countUnscored": boolean, "aggregateFunction": OneOf(["average", "min", "max", "sum"]),
                     "expandedSubtechniques": OneOf(["none", "all", "annotated"])}),
    "hideDisabled": boolean, "techniques": ListOf(NAVIGATOR_TECHNIQUE),
    "gradient": Shape({"colors": ListOf(lambda c: re.match(r"^#[0-9a-fA-F]{6}$", c) is not None, 2), "minValue": number, "maxValue": number},
                      ["colors", "minValue", "maxValue"]),
    "selectTechniquesAcrossTactics": boolean, "selectSubtechniquesWithParent": boolean, "metadata": ListOf(NAVIGATOR_METADATA)},
    ["name", "domain"])
