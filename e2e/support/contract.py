"""Judges answers of the Admin API by its own description, admin-ui/api/openapi.yaml: nothing missing, nothing besides."""

import json
from pathlib import Path

import jsonschema
import yaml

API = Path(__file__).resolve().parents[2] / "admin-ui/api/openapi.yaml"
METHODS = ("get", "put", "post", "delete")


class Contract:
    def __init__(self):
        self.document = yaml.safe_load(API.read_text())
        self.schemas = self.document["components"]["schemas"]
        self.seen = set()

    def operations(self):
        """{operationId: (METHOD, path pattern, operation)}"""
        return {operation["operationId"]: (method.upper(), path, operation)
                for path, entry in self.document["paths"].items()
                for method, operation in entry.items() if method in METHODS}

    def methods(self, path):
        return {method.upper() for method in self.document["paths"][path] if method in METHODS}

    def target(self, reference):
        node = self.document
        for step in reference.removeprefix("#/").split("/"):
            node = node[step]
        return node

    def strict(self, schema):
        """The schema without references, closed: an object with named properties has no others unless it says so."""
        if isinstance(schema, list):
            return [self.strict(entry) for entry in schema]
        if not isinstance(schema, dict):
            return schema
        if "$ref" in schema:
            inner = self.strict(self.target(schema["$ref"]))
            if schema["$ref"].startswith("#/components/schemas/"):
                inner = {**inner, "x-name": schema["$ref"].rsplit("/", 1)[1]}
            return inner
        closed = {key: self.strict(value) for key, value in schema.items()}
        if "properties" in closed and closed.get("type") == "object":
            closed.setdefault("additionalProperties", False)
        return closed

    def schema(self, name):
        return self.strict({"$ref": f"#/components/schemas/{name}"})

    def check(self, instance, schema, where):
        problems = [f"{where}{error.json_path[1:]}: {error.message[:300]}"
                    for error in jsonschema.Draft202012Validator(schema).iter_errors(instance)]
        assert not problems, "\n".join(problems)
        self.note(instance, schema)

    def answer(self, operation, status, media_type, text):
        """An answer of an operation: a status and a media type it declares, and a body that fits."""
        where = f"{operation['operationId']} {status}"
        declared = operation["responses"].get(str(status)) or operation["responses"].get("default")
        assert declared is not None, f"{where} is not declared"
        declared = self.strict(declared)
        if "content" not in declared:
            assert text == "", where
            return None
        assert media_type in declared["content"], f"{where}: {media_type}"
        body = json.loads(text)
        self.check(body, declared["content"][media_type]["schema"], where)
        return body

    def note(self, instance, schema, inside=None):
        """Remembers which properties carried something."""
        inside = schema.get("x-name", inside)
        for branch in schema.get("oneOf", ()):
            if jsonschema.Draft202012Validator(branch).is_valid(instance):
                self.note(instance, branch, inside)
        if isinstance(instance, list) and "items" in schema:
            for entry in instance:
                self.note(entry, schema["items"], inside)
        if isinstance(instance, dict):
            others = schema.get("additionalProperties")
            for name, value in instance.items():
                if name in schema.get("properties", ()):
                    if value is not None:
                        self.seen.add(f"{inside}.{name}")
                    self.note(value, schema["properties"][name], f"{inside}.{name}")
                elif isinstance(others, dict):
                    self.note(value, others, inside)

    def promised(self, schema, inside=None):
        """Every property an answer of this schema may carry."""
        inside = schema.get("x-name", inside)
        found = set()
        for branch in schema.get("oneOf", ()):
            found |= self.promised(branch, inside)
        for part in ("items", "additionalProperties"):
            if isinstance(schema.get(part), dict):
                found |= self.promised(schema[part], inside)
        for name, value in schema.get("properties", {}).items():
            found.add(f"{inside}.{name}")
            found |= self.promised(value, f"{inside}.{name}")
        return found

    def promised_by_looks(self):
        found = set()
        for method, _, operation in self.operations().values():
            if method == "GET":
                for media in self.strict(operation["responses"]["200"])["content"].values():
                    found |= self.promised(media["schema"])
        return found
