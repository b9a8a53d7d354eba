import Console

runProgram("tandem-evaluator") { throw Failure("not built yet") }
