extension View {
    /// Where another view of the same frame lies, seen from this one: SiameseIM's six numbers, from which a decoder knows where the patches
    /// lie that it predicts.
    ///
    /// With each view's row i, column j, height h and width w in the frame as that view mirrors it, this one's with the index 1, the
    /// other's with 2, and the frame's width W: (i2 - i1) / h1, (j2 - j1) / w1, h2 / h1, w2 / w1, 1 where one alone is mirrored or else 0,
    /// and (W - j1 - j2) / w1.
    ///
    /// - Parameter frameWidth: in upright pixels.
    ///
    /// Source: OpenGVLab/Siamese-Image-Modeling util/datasets.py and util/pos_embed.py.
    package func geometry(of other: View, frameWidth: Int) -> [Float] {
        let (left, otherLeft) = (mirroredLeft(in: frameWidth), other.mirroredLeft(in: frameWidth))
        let (width, height) = (Double(box.width), Double(box.height))
        let numbers = [
            Double(other.box.y - box.y) / height, Double(otherLeft - left) / width, Double(other.box.height) / height,
            Double(other.box.width) / width, isFlipped != other.isFlipped ? 1 : 0, Double(frameWidth - left - otherLeft) / width,
        ]
        return numbers.map { Float($0) }
    }

    /// Columns to the left of the box in the frame as the view mirrors it.
    private func mirroredLeft(in frameWidth: Int) -> Int { isFlipped ? frameWidth - box.x - box.width : box.x }
}
