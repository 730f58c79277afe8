"""Which store of vectors the stack makes for which configuration, and who is put into a network for it."""

from __future__ import annotations

import importlib.util
import json
import tomllib
import unittest
from types import ModuleType
from typing import Any

from common import FUNCTIONS, NETWORK, ROOT
from template import Json, of_type, source, text, translated

# What `infra/package.py` says for each provider: with a store of the stack's, and with one that has an address.
MADE = {"dynamodb": "dynamodb", "redis": "redis", "pgvector": "pgvector"}
ADDRESSES = {
    "redis": "rediss://cache.example.com",
    "pgvector": "postgres://me@db.example.com/vectors",
    "qdrant": "https://qdrant.example.com",
    "milvus": "https://milvus.example.com",
}
IN_A_NETWORK = {"cache", "indexer"}
PORTS = {"redis": 6379, "pgvector": 5432}


def package() -> ModuleType:
    spec = importlib.util.spec_from_file_location("package", ROOT / "infra" / "package.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def holds(condition: Any, store: str) -> bool:
    """A condition of the template or of the network, with this store picked."""
    match condition:
        case {"Fn::Or": parts}:
            return any(holds(part, store) for part in parts)
        case {"Fn::Equals": [{"Ref": "VectorStore"}, name]}:
            return bool(store == name)
    raise AssertionError(f"not a condition on the store: {condition}")


class NetworkTest(unittest.TestCase):
    template: Json
    network: Json

    @classmethod
    def setUpClass(cls) -> None:
        cls.template, cls.network = translated(), source(NETWORK)
        cls.vector_store = staticmethod(package().vector_store)

    def resources(self, store: str) -> dict[str, Json]:
        """What the network consists of for a store, by type."""
        conditions = self.network["Conditions"]
        made = self.network["Resources"].values()
        return {r["Type"]: r["Properties"] for r in made if "Condition" not in r or holds(conditions[r["Condition"]], store)}

    def test_the_configuration_picks_the_store_that_the_stack_makes(self) -> None:
        allowed = self.template["Parameters"]["VectorStore"]["AllowedValues"]
        for provider, store in MADE.items():
            with self.subTest(provider):
                cache = {"provider": provider} | ({"store": {"ca_file": "config/rds.pem"}} if provider == "pgvector" else {})
                self.assertEqual(self.vector_store(cache), {"VectorStore": store})
                self.assertIn(store, allowed)
        self.assertEqual(self.vector_store({}), {"VectorStore": "dynamodb"})

    def test_a_plain_deployment_has_the_parameters_of_the_committed_configuration(self) -> None:
        config, prices = (json.loads((ROOT / "config" / f"{name}.json").read_text()) for name in ("ai-gateway", "prices"))
        committed = tomllib.loads((ROOT / "samconfig.toml").read_text())["default"]["deploy"]["parameters"]
        whole = package()
        wanted = whole.overrides(whole.derived(config, prices, "x86_64"))
        self.assertEqual(committed["parameter_overrides"], wanted)
        # What is left out would keep the value, and the rights, of the deployment before.
        given = {override.partition("=")[0] for override in wanted}
        for parameter in ("OpenAiSecretName", "BedrockModels", "AlertTopics", "AlertSecrets", "VectorStoreSecretName"):
            self.assertIn(parameter, given)
        self.assertLessEqual(given, set(self.template["Parameters"]))

    def test_a_store_with_an_address_is_not_made(self) -> None:
        for provider, url in ADDRESSES.items():
            with self.subTest(provider):
                cache = {"provider": provider, "store": {"url": url, "secret": "secretsmanager:vectors"}}
                self.assertEqual(self.vector_store(cache), {"VectorStore": "elsewhere", "VectorStoreSecretName": "vectors"})
        self.assertIn("elsewhere", self.template["Parameters"]["VectorStore"]["AllowedValues"])

    def test_what_cannot_be_deployed_is_refused_with_the_key_at_fault(self) -> None:
        for cache, words in (
            ({"provider": "memory"}, "cache.provider is memory"),
            ({"provider": "qdrant"}, "cache.store.url is not set"),
            ({"provider": "milvus"}, "cache.store.url is not set"),
            ({"provider": "pgvector"}, "cache.store.ca_file is not set"),
            ({"provider": "redis", "store": {"secret": "secretsmanager:a"}}, "cache.store.secret is set"),
            ({"provider": "dynamodb", "store": {"url": "https://a.example.com"}}, "cache.store.url is set"),
            ({"provider": "qdrant", "store": {"url": "https://a.example.com", "secret": "env:KEY"}}, "cache.store.secret is env"),
        ):
            with self.subTest(cache), self.assertRaisesRegex(ValueError, words):
                self.vector_store(cache)

    def test_only_redis_and_pgvector_bring_a_network(self) -> None:
        network = self.template["Resources"]["Network"]
        for store in self.template["Parameters"]["VectorStore"]["AllowedValues"]:
            with self.subTest(store):
                made = holds(self.template["Conditions"][network["Condition"]], store)
                self.assertEqual(made, store in ("redis", "pgvector"))
        self.assertEqual(self.template["Parameters"]["VectorStore"]["Default"], "dynamodb")

    def test_cache_and_indexer_alone_are_put_into_it(self) -> None:
        functions = of_type(self.template, "AWS::Lambda::Function")
        for name in FUNCTIONS:
            with self.subTest(name):
                placed = functions[f"{name.capitalize()}Function"].get("VpcConfig")
                self.assertEqual(placed is not None, name in IN_A_NETWORK)
                if placed:
                    condition, _, otherwise = placed["Fn::If"]
                    self.assertEqual((condition, otherwise), ("HasNetwork", {"Ref": "AWS::NoValue"}))
        given = {p: text(v) for p, v in self.template["Resources"]["Network"]["Properties"]["Parameters"].items()}
        self.assertEqual(given, {"VectorStore": "VectorStore", "CacheRole": "CacheRole", "IndexerRole": "IndexerRole"})

    def test_the_address_reaches_the_functions_where_the_stack_makes_the_store(self) -> None:
        outputs = set(self.network["Outputs"])
        for name in ("CacheFunction", "IndexerFunction"):
            variables = of_type(self.template, "AWS::Lambda::Function")[name]["Environment"]["Variables"]
            url, secret = (variables[v]["Fn::If"] for v in ("VECTOR_STORE_URL", "VECTOR_STORE_SECRET"))
            self.assertEqual(url, ["HasNetwork", {"Fn::GetAtt": ["Network", "Outputs.StoreUrl"]}, ""])
            self.assertEqual(secret, ["HasNetwork", {"Fn::Sub": "secretsmanager:${Network.Outputs.StoreSecret}"}, ""])
        self.assertLessEqual({"StoreUrl", "StoreSecret", "Subnets", "FunctionsGroup"}, outputs)

    def test_each_store_is_made_alone_encrypted_and_by_no_known_password(self) -> None:
        redis, postgres = self.resources("redis"), self.resources("pgvector")
        self.assertNotIn("AWS::RDS::DBCluster", redis)
        self.assertNotIn("AWS::ElastiCache::ReplicationGroup", postgres)
        secret = {"Fn::Sub": "{{resolve:secretsmanager:${StoreSecret}}}"}
        valkey, aurora = redis["AWS::ElastiCache::ReplicationGroup"], postgres["AWS::RDS::DBCluster"]
        self.assertTrue(valkey["TransitEncryptionEnabled"] and valkey["AtRestEncryptionEnabled"] and aurora["StorageEncrypted"])
        self.assertEqual((valkey["AuthToken"], aurora["MasterUserPassword"]), (secret, secret))
        self.assertEqual((valkey["Engine"], valkey["EngineVersion"]), ("valkey", "8.2"), "the first with search")
        self.assertEqual(aurora["ServerlessV2ScalingConfiguration"]["MinCapacity"], 0, "it sleeps")

    def test_nothing_leads_in_from_the_internet_or_out_to_it(self) -> None:
        types = {r["Type"] for r in self.network["Resources"].values()}
        self.assertFalse(types & {"AWS::EC2::InternetGateway", "AWS::EC2::NatGateway", "AWS::EC2::Route", "AWS::EC2::EIP"})
        groups = of_type(self.network, "AWS::EC2::SecurityGroup")
        self.assertNotIn("SecurityGroupIngress", groups["FunctionsGroup"])
        for name in ("StoreGroup", "EndpointGroup"):
            (rule,) = groups[name]["SecurityGroupIngress"]
            self.assertEqual(text(rule["SourceSecurityGroupId"]), "FunctionsGroup")
        (rule,) = groups["StoreGroup"]["SecurityGroupIngress"]
        self.assertEqual(rule["FromPort"], {"Fn::If": ["IsRedis", PORTS["redis"], PORTS["pgvector"]]})
        endpoints = of_type(self.network, "AWS::EC2::VPCEndpoint").values()
        self.assertEqual(
            {e["ServiceName"]["Fn::Sub"].rsplit(".", 1)[1]: e["VpcEndpointType"] for e in endpoints},
            {"dynamodb": "Gateway", "secretsmanager": "Interface"},
        )

    def test_the_network_grants_what_it_takes_to_be_in_it(self) -> None:
        (policy,) = of_type(self.network, "AWS::IAM::Policy").values()
        self.assertEqual([text(role) for role in policy["Roles"]], ["CacheRole", "IndexerRole"])
        network, denied, store = policy["PolicyDocument"]["Statement"]
        self.assertTrue(all(action.startswith("ec2:") and "*" not in action for action in network["Action"]))
        self.assertEqual((network["Effect"], denied["Effect"]), ("Allow", "Deny"))
        self.assertEqual(denied["Action"], network["Action"], "what Lambda does in the role's name its code may not do")
        self.assertIn("lambda:SourceFunctionArn", denied["Condition"]["ArnLike"])
        self.assertEqual((store["Action"], text(store["Resource"])), ("secretsmanager:GetSecretValue", "StoreSecret"))
