import Console
import ZeroMQ

/// `tandem keys`: the keys with which the processes of a run know each other over tcp.
func keys(arguments: [String]) throws {
    var options = Arguments(
        "tandem keys",
        about: """
            Makes the keys with which processes know each other over tcp (CURVE: mutual, encrypted), for the option --keys:
            server.key for the machine of the run; client.key and server.pub for machines that connect, copied there by a safe way;
            allowed, the list of public keys that may connect. A key leaves the list by deleting its line; SIGHUP has a running
            batcher or trainer read the list again, so that a new key can be allowed before an old one is taken away.
            """, arguments: arguments)
    let client = options.value("--client", "NAME", "adds a pair to a folder that exists, NAME.key, and allows it", default: "")
    let path = options.operand("FOLDER", "the folder to make or to add to")
    options.finish()
    let folder = KeyFolder(path)
    if client.isEmpty {
        try folder.create()
        print("made \(path): server.key, allowed for the machine of the run; client.key, server.pub for machines that connect")
    } else {
        try folder.addClient(client)
        print("made \(path)/\(client).key and allowed it; where it goes, it is called client.key")
    }
}
