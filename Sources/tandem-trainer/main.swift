import Console

runProgram("tandem-trainer") { throw Failure("not built yet") }
