import Dataflow
import Sampling

// Messages of every type and shape, each field with a value of its own.

let decoderRequests: [DecoderRequest] = {
    var progress = DecoderProgress()
    progress.samples = 12
    progress.failures = 1
    progress.pictures = 25
    return [
        .hello(decoder: .max, host: "node-3"), .ready(decoder: 7, received: 9, free: 3, held: 2),
        .heartbeat(decoder: 7, progress: progress),
        .failed(decoder: 7, ticket: 1 << 40, attempt: 255, kind: "truncated", reason: "a/b.mp4: truncated – “moov” is missing"),
        .goodbye(decoder: 0),
    ]
}()

let decoderReplies: [DecoderReply] = {
    var irregular = videoRecords(1)[0]
    irregular.timestamps = .table([-5, 0, 7, 1000])
    irregular.keyFrames = []
    return [
        .welcome(Welcome(identity: planIdentity(), capacity: 5, examples: ["a.mp4", "b/ü.mkv"])),
        .ticket(Ticket(ticket: 9, attempt: 1, video: 0, record: videoRecords(1)[0])),
        .ticket(Ticket(ticket: 10, attempt: 0, video: 1, record: irregular)), .idle, .unknownPeer,
    ]
}()

let trainerRequests: [TrainerRequest] = [
    .open(trainer: .init(run: 1), identity: planIdentity(), received: 3, isReturning: true),
    .samples(trainer: .init(run: 1), first: 1 << 40, count: 2048, received: 1 << 39),
    .ping(trainer: .init(run: 2), received: 77, asked: 93), .goodbye(trainer: .init(run: 3)), .ask,
]

let trainerReplies: [TrainerReply] = [
    .accepted(sampleByteCount: 301_056),
    .batch(
        first: 4096, count: 16,
        replaced: [
            Replacement(
                ticket: 2050, attempt: 0, kind: "truncated", reason: "a.mp4: truncated – “moov” is missing", decoder: 7, host: "node-3"),
            Replacement(ticket: 2050, attempt: 1, kind: "damaged frame", reason: "", decoder: .max, host: ""),
        ]), .status(decoders: 3, asked: 49, pending: [1, 17, 33]), .unknownPeer,
    .refused("seed (1, not 2)", replaced: []), .plan(planIdentity(), videos: 193, replicas: 2),
    .refused(
        "too much fails", replaced: [Replacement(ticket: 5, attempt: 0, kind: "truncated", reason: "b.mp4", decoder: 8, host: "x")]),
]

let evaluatorRequests: [EvaluatorRequest] = [
    .next(evaluator: .max), .working(evaluator: 1, step: 0), .scores(evaluator: 1, step: 1 << 40, [], pictures: []),
    .scores(evaluator: 1, step: 5, [.init("davis_jf", 0.5), .init("é", -1e-9)], pictures: ["davis.jpg", "a-b_c.1.mp4"]),
    .failed(evaluator: 2, step: 3, reason: "no folder"),
]

let evaluatorReplies: [EvaluatorReply] = [
    .checkpoint(step: 7, isQuick: true), .checkpoint(step: 7, isQuick: false), .nothing, .noted(step: 7), .finished,
]
