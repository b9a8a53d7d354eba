extension Unpickler {
    /// The instructions of the pickle machine that plain values and tensors need, by their codes.
    ///
    /// Left out, so that they are refused: those that make objects by other ways (INST, OBJ, NEWOBJ_EX, EXT1 to EXT4), out-of-band buffers,
    /// and the text notations of protocol 0. Source: CPython's Lib/pickletools.py.
    enum Instruction: UInt8 {
        case mark = 0x28  // (
        case emptyTuple = 0x29  // )
        case stop = 0x2e  // .
        case pop = 0x30  // 0
        case popMark = 0x31  // 1
        case duplicate = 0x32  // 2
        case bytes4 = 0x42  // B
        case bytes1 = 0x43  // C
        case float = 0x47  // G
        case int4 = 0x4a  // J
        case int1 = 0x4b  // K
        case int2 = 0x4d  // M
        case none = 0x4e  // N
        case persistentID = 0x51  // Q
        case reduce = 0x52  // R
        case string4 = 0x54  // T
        case string1 = 0x55  // U
        case text4 = 0x58  // X
        case emptyList = 0x5d  // ]
        case append = 0x61  // a
        case build = 0x62  // b
        case global = 0x63  // c
        case dictionary = 0x64  // d
        case appends = 0x65  // e
        case get1 = 0x68  // h
        case get4 = 0x6a  // j
        case list = 0x6c  // l
        case put1 = 0x71  // q
        case put4 = 0x72  // r
        case setItem = 0x73  // s
        case tuple = 0x74  // t
        case setItems = 0x75  // u
        case emptyDictionary = 0x7d  // }
        case `protocol` = 0x80
        case newObject = 0x81
        case tuple1 = 0x85
        case tuple2 = 0x86
        case tuple3 = 0x87
        case `true` = 0x88
        case `false` = 0x89
        case long1 = 0x8a
        case text1 = 0x8c
        case text8 = 0x8d
        case emptySet = 0x8f
        case addItems = 0x90
        case frozenSet = 0x91
        case stackGlobal = 0x93
        case memoize = 0x94
        case frame = 0x95
    }
}
