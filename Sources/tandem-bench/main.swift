import Console

runProgram("tandem") { try bench(arguments: Array(CommandLine.arguments.dropFirst())) }
