import Console

runProgram("tandem") { throw Failure("not built yet") }
