# The commit pipeline as a Durable Object, one object an enclave, its SQLite file on local disk.
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),
    (name = "disk", disk = (writable = true)),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);

const main :Workerd.Worker = (
  modules = [(name = "worker", esModule = embed "WORKER")],
  compatibilityDate = "2025-01-01",
  durableObjectNamespaces = [(className = "Enclave", uniqueKey = "enclave", enableSql = true)],
  durableObjectStorage = (localDisk = "disk"),
  bindings = [(name = "ENCLAVE", durableObjectNamespace = "Enclave")],
);
