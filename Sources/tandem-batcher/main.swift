import Console

runProgram("tandem-batcher") { throw Failure("not built yet") }
