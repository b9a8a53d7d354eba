import Base
import Foundation

/// The bytes of one record of a TensorBoard event file: a protobuf `Event` in a TFRecord frame.
///
/// Sources: tensorflow/tensorboard, tensorboard/compat/proto/{event,summary}.proto; tensorflow/tensorflow, core/lib/io/record_writer.h.
package enum EventRecord {
    /// The record that every event file begins with.
    package static func fileVersion(wallTime: Double) -> [UInt8] {
        event(wallTime: wallTime, step: 0) { $0.string(3, "brain.Event:2") }
    }

    /// A restart: values that earlier files have for `step` and later steps no longer count.
    package static func sessionStart(wallTime: Double, step: Int) -> [UInt8] {
        event(wallTime: wallTime, step: step) { $0.message(7) { $0.integer(1, 1) } }
    }

    /// Numbers at one step.
    package static func scalars(wallTime: Double, step: Int, _ values: [(tag: String, value: Float)]) -> [UInt8] {
        event(wallTime: wallTime, step: step) { event in
            event.message(5) { summary in
                for (tag, value) in values {
                    summary.message(1) { entry in
                        entry.string(1, tag)
                        entry.float(2, value)
                    }
                }
            }
        }
    }

    /// A PNG picture at one step.
    package static func image(wallTime: Double, step: Int, tag: String, png: [UInt8], width: Int, height: Int) -> [UInt8] {
        event(wallTime: wallTime, step: step) { event in
            event.message(5) { summary in
                summary.message(1) { entry in
                    entry.string(1, tag)
                    entry.message(4) { image in
                        image.integer(1, height)
                        image.integer(2, width)
                        image.integer(3, 3)  // RGB
                        image.bytes(4, png)
                    }
                }
            }
        }
    }

    private static func event(wallTime: Double, step: Int, _ fill: (inout ProtobufMessage) -> Void) -> [UInt8] {
        var message = ProtobufMessage()
        message.double(1, wallTime)
        if step != 0 { message.integer(2, step) }
        fill(&message)
        return frame(message.encoded)
    }

    /// Length, masked CRC-32C of the length, payload, masked CRC-32C of the payload.
    package static func frame(_ payload: [UInt8]) -> [UInt8] {
        let length = littleEndianBytes(UInt64(payload.count))
        return length + littleEndianBytes(masked(crc32c(length))) + payload + littleEndianBytes(masked(crc32c(payload)))
    }

    private static func masked(_ crc: UInt32) -> UInt32 { (crc >> 15 | crc << 17) &+ 0xa282_ead8 }
}

private func littleEndianBytes(_ value: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { [UInt8]($0) }
}

/// A protobuf message under construction: only the field kinds that events need.
struct ProtobufMessage {
    private(set) var encoded: [UInt8] = []

    mutating func integer(_ field: Int, _ value: Int) {
        varint(UInt64(field) << 3)
        varint(UInt64(bitPattern: Int64(value)))
    }

    mutating func double(_ field: Int, _ value: Double) {
        varint(UInt64(field) << 3 | 1)
        encoded += littleEndianBytes(value.bitPattern)
    }

    mutating func float(_ field: Int, _ value: Float) {
        varint(UInt64(field) << 3 | 5)
        encoded += littleEndianBytes(value.bitPattern)
    }

    mutating func bytes(_ field: Int, _ value: [UInt8]) {
        varint(UInt64(field) << 3 | 2)
        varint(UInt64(value.count))
        encoded += value
    }

    mutating func string(_ field: Int, _ value: String) { bytes(field, [UInt8](value.utf8)) }

    mutating func message(_ field: Int, _ fill: (inout ProtobufMessage) -> Void) {
        var inner = ProtobufMessage()
        fill(&inner)
        bytes(field, inner.encoded)
    }

    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            encoded.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        encoded.append(UInt8(rest))
    }
}
