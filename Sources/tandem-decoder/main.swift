import Console

runProgram("tandem-decoder") { throw Failure("not built yet") }
