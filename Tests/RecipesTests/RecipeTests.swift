import Autograd
import Compute
import Models
import Recipes
import Sampling
import TestBackends
import TestSupport
import Testing
import Training

/// What holds of every recipe.
@Suite struct RecipeTests {
    /// SiameseIM's batch norms are of a micro-batch, as its documentation says.
    @Test(arguments: RecipeCase.all + RecipeCase.severalFrames + [.ibot], [1, 4]) func microBatchesAddUpToTheBatch(
        recipe: RecipeCase, microBatch: Int
    ) throws {
        let backend = try TestBackend.cpu.open()
        let whole = recipe.step(backend), parts = recipe.step(backend, microBatch: microBatch)
        #expect(abs(parts.loss / whole.loss - 1) < 1e-6)
        #expect(TestNumbers.relativeError(parts.gradients, whole.gradients.doubles) < 1e-5)
    }

    @Test(arguments: RecipeCase.one + RecipeCase.views + RecipeCase.severalFrames + [.siamMAE(.joint, .joint, .symmetric)])
    func sameBitsInEveryRun(recipe: RecipeCase) throws {
        let first = recipe.step(try TestBackend.cpu.open(threads: 2), microBatch: 2)
        for threads in [2, 2, 1, 3] {
            let again = recipe.step(try TestBackend.cpu.open(threads: threads), microBatch: 2)
            #expect(again.loss == first.loss && again.gradients == first.gradients, "\(threads) threads")
        }
    }

    @Test(arguments: RecipeCase.one + RecipeCase.views) func secondBackwardPassAddsToTheFirst(recipe: RecipeCase) throws {
        let backend = try TestBackend.cpu.open()
        let once = recipe.step(backend)
        let (model, arena) = (recipe.make(on: backend), Arena(backend: backend))
        let sums = StepSums(of: model.parameters)
        RandomSamples(of: recipe.recipe.value.sampler, count: 6).withBlocks { samples in
            for _ in 0..<2 { model.accumulateGradients(samples, addingTo: sums.loss, arena: arena) }
        }
        #expect(abs(sums.read().loss / once.loss - 2) < 1e-12)
        #expect(TestNumbers.relativeError(backend.download(model.parameters.gradients), once.gradients.map { 2 * Double($0) }) < 1e-6)
        sums.clear()
        #expect(backend.download(model.parameters.gradients) == [Float](repeating: 0, count: model.parameters.count))
    }

    /// The same samples, normalised here, by ImageNet's statistics but for MAE-ST, and the visible patches in descending order.
    @Test(arguments: RecipeCase.one + RecipeCase.severalFrames + [.siamMAE(.joint, .cross, .symmetric)])
    func bytesAndMasksReachTheModel(recipe: RecipeCase) throws {
        let backend = try TestBackend.cpu.open()
        let (model, arena, sampler) = (recipe.make(on: backend), Arena(backend: backend), recipe.recipe.value.sampler)
        let (ofSpans, area) = (recipe.recipe.name == "mae-st", recipe.imageSize * recipe.imageSize)
        let (mean, deviation) = ofSpans ? ([0.45, 0.45, 0.45], [0.225, 0.225, 0.225]) : ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
        let sum = backend.array(of: Double.self, count: 1)
        let prediction = RandomSamples(of: sampler, count: 6).withBlocks { samples -> [Float] in
            let batch = SampleBatch(samples: Array(0..<6), of: sampler, arena: arena) { array, images in
                var numbers: [Float] = []
                for sample in samples {
                    for picture in 0..<array.shape[0] {
                        let bytes = sample.bytes(array.name)!
                        for channel in 0..<3 {
                            for pixel in 0..<area {
                                let level = Double(bytes[(picture * area + pixel) * 3 + channel]) / 255
                                numbers.append(Float((level - mean[channel]) / deviation[channel]))
                            }
                        }
                    }
                }
                backend.upload(images, from: numbers)
            } visible: { array in
                // The order of what is decoded is that of the predictions.
                samples.map { sample in
                    let found = (0..<Int32(array.shape[0])).filter { sample.bytes(array.name)![Int($0)] == 0 }
                    return array.name == "decoded" ? found : found.reversed()
                }
            }
            let tape = Tape(arena: arena, isRecording: false)
            model.addLoss(of: batch, share: 1, to: sum, on: tape)
            return arena.numbers(of: model.outputs(of: batch, on: tape).last!.value)
        }
        #expect(abs(recipe.step(backend).loss / backend.download(sum)[0] - 1) < 1e-5)
        let own = RandomSamples(of: sampler, count: 6).withBlocks { samples in
            let batch = SampleBatch(samples, of: sampler, model.encoder.pixelStatistics, arena: arena)
            return arena.numbers(of: model.outputs(of: batch, on: Tape(arena: arena, isRecording: false)).last!.value)
        }
        // VideoMAE and MGMAE predict what is hidden alone, V2 what its decoder's mask says.
        let counts = ["mae-st": 27 * 192, "videomae": 14 * 384, "videomae-v2": 32 * 384, "mgmae": 14 * 384]
        #expect(own.count == 6 * (counts[recipe.recipe.name] ?? recipe.patchCount * 192))
        #expect(TestNumbers.relativeError(own, prediction.doubles) < 1e-5)
    }

    /// What hidden patches show reaches only the target, never the prediction.
    @Test(arguments: RecipeCase.all) func hiddenPatchesAreHidden(recipe: RecipeCase) throws {
        let backend = try TestBackend.cpu.open()
        let (model, arena, sampler) = (recipe.make(on: backend), Arena(backend: backend), recipe.recipe.value.sampler)
        let settings = recipe.recipe.value as? SiamMAE.Settings
        let pictures = sampler.arrays[0].shape[0]
        func prediction(_ change: (inout [Float]) -> Void) -> [Float] {
            let batch = SampleBatch(samples: [0], of: sampler, arena: arena) { _, images in
                var numbers = TestNumbers.normal(images.count, seed: 7)
                change(&numbers)
                backend.upload(images, from: numbers)
            } visible: { array in
                array.name == "mask" ? [[4]] : [[8, 4]]
            }
            let patches = arena.numbers(of: model.outputs(of: batch, on: Tape(arena: arena, isRecording: false)).last!.value)
            // Without self-attention the visible patch speaks for itself alone, unless the encoder has shown it to the past frame.
            let isAlone = settings?.model.decoder == .cross && settings?.model.encoder == .siamese
            return isAlone ? patches : Array(patches[..<(4 * 192)])
        }
        // The masked picture of a pair is the last; of a clip, the step that the visible patch is of has two frames.
        let (size, grid) = (recipe.imageSize, recipe.imageSize / 8)
        let middle = (4 / grid * 8 + 4) * size + 4 % grid * 8 + 4
        let last = ((pictures > 2 ? 2 : pictures) - 1) * 3 * size * size
        let unchanged = prediction { _ in }
        #expect(prediction { $0[last] += 1 } == unchanged, "a pixel of a hidden patch of the masked picture")
        #expect(prediction { $0[last + middle] += 1 } != unchanged, "a pixel of the visible patch of the masked picture")
        guard pictures == 2 else { return }
        #expect(
            (prediction { $0[0] += 1 } == unchanged) == (settings?.mask.frames == .symmetric), "a pixel of the past frame's first patch")
        #expect(prediction { $0[middle] += 1 } != unchanged, "a pixel of a visible patch of the past frame")
    }

    @Test(arguments: RecipeCase.all + RecipeCase.views) func parametersAreCountedAsTheModelHasThem(recipe: RecipeCase) throws {
        let model = recipe.make(on: try TestBackend.cpu.open(threads: 1))
        let (all, encoder) = recipe.recipe.parameterCounts
        #expect(all == model.parameters.count)
        let encoders = model.parameters.entries.filter { entry in
            ["cls_token", "pos_embed", "norm.", "patch_embed.", "blocks.", "encoder.", "backbone."].contains { entry.name.hasPrefix($0) }
                && entry.name != "backbone.masked_embed"
        }
        #expect(encoder == encoders.reduce(0) { $0 + $1.range.count })
    }

    /// A picture of which nothing is visible, or nothing hidden, is a bug of the caller: it ends the program before anything is computed.
    @Test(arguments: [0, 1]) func masksThatHideAllOrNothingAreRefused(visible: Int) async {
        await #expect(processExitsWith: .failure) { [visible] in try step(visible: visible == 0 ? [] : Array(0..<9)) }
        await #expect(processExitsWith: .success) { [visible] in try step(visible: [Int32(visible)]) }
    }

    @Test func aSequenceWithoutTokensIsRefused() async {
        await #expect(processExitsWith: .failure) { _ = SequenceLayout(lengths: [3, 0]) }
    }

    /// Parameters that not every variant of SiamMAE has.
    @Test(arguments: RecipeCase.siamMAE) func variantsHaveTheirParameters(recipe: RecipeCase) throws {
        let settings = try #require(recipe.recipe.value as? SiamMAE.Settings)
        let names = recipe.make(on: try TestBackend.cpu.open(threads: 1)).parameters.entries.map(\.name)
        func has(_ part: String) -> Bool { names.contains { $0.contains(part) } }
        #expect(names.contains("frame_embed") == (settings.model.encoder == .joint))
        #expect(names.contains("decoder_frame_embed") == (settings.model.decoder == .joint))
        #expect(has("decoder_blocks.0.cross_attn.") == (settings.model.decoder != .joint))
        #expect(has("decoder_blocks.0.norm_kv.") == (settings.model.decoder != .joint))
        #expect(has("decoder_blocks.0.attn.") == (settings.model.decoder != .cross))
        #expect(has("decoder_blocks.0.norm1.") == (settings.model.decoder != .cross))
        #expect(has("decoder_blocks.0.mlp.fc2."))
    }

    /// The published numbers (He et al., facebookresearch/mae main_pretrain.py and PRETRAIN.md; Gupta et al., table 4a; MCG-NJU/VideoMAE
    /// run_mae_pretraining.py and its scripts).
    @Test func defaultsArePublished() {
        let (mae, siamMAE, videoMAE) = (MAE.Settings(), SiamMAE.Settings(), VideoMAE.Settings())
        #expect(mae.sampling.cropArea == [0.2, 1] && mae.mask.ratio == 0.75 && mae.model.size == .preset("b16"))
        #expect(mae.sampler.arrays.first { $0.name == "mask" }?.zeros == 49...49)
        let training = MAE.Settings.training
        #expect((training.epochs, training.warmupEpochs, training.batch) == (800, 40, 4096))
        #expect(training.baseLearningRate == 1.5e-4 && training.betas == [0.9, 0.95] && training.weightDecay == 0.05)
        #expect(siamMAE.sampler.arrays.first { $0.name == "mask" }?.zeros == 9...9)
        #expect(SiamMAE.Settings.training.batch == 2048 && SiamMAE.Settings.training.epochs == 400)
        #expect(mae.problem == nil && siamMAE.problem == nil && videoMAE.problem == nil)
        let clips = VideoMAE.Settings.training
        #expect((clips.epochs, clips.warmupEpochs, clips.batch) == (800, 40, 2048))
        #expect(clips.baseLearningRate == 1.5e-4 && clips.betas == [0.9, 0.95] && clips.weightDecay == 0.05)
        #expect(clips.minimumLearningRate == 1e-5 && VideoMAE.Settings.endsWarmUpAtPeak && !MAEST.Settings.endsWarmUpAtPeak)
        let spans = MAEST.Settings()
        #expect(spans.problem == nil && spans.sampler.arrays[1].zeros == 156...156 && spans.sampling.repeatedSampling == 4)
        #expect(spans.predictedFrames == [0, 2, 4, 6, 8, 10, 12, 15] && spans.optimization.clipping == 0.02)
        // 100 epochs with four clips of each of 512 videos a step, at a rate of 1.6e-3 for 256 of them.
        #expect(MAEST.Settings.training.epochs == 400 && MAEST.Settings.training.baseLearningRate * 2048 == 1.6e-3 * 512)
        let second = VideoMAEV2.Settings()
        #expect(second.problem == nil && second.sampler.arrays.last?.zeros == 784...784 && second.sampling.repeatedSampling == 4)
        // Four clips of each of 1024 videos a step, at a rate of 4e-3.
        #expect(VideoMAEV2.Settings.training.batch == 4096 && VideoMAEV2.Settings.training.baseLearningRate * 16 == 4e-3)
        #expect(abs(VideoMAEV2.Settings.training.minimumLearningRate * 16 / 4e-5 - 1) < 1e-12 && VideoMAEV2.Settings.endsWarmUpAtPeak)
        // rules.json of the golden recipes, "videomae 16x224/2x16".
        #expect(videoMAE.sampler.arrays.map(\.shape) == [[16, 224, 224, 3], [1568], [16, 7]])
        #expect(videoMAE.sampler.arrays[1].zeros == 160...160 && videoMAE.model.size == .preset("b16"))
    }

    /// bytedance/ibot main_ibot.py with the recipe of its README; OpenGVLab/Siamese-Image-Modeling configs/pretrain/dist_sim_base_1600ep.sh.
    @Test func defaultsOfViewsArePublished() {
        let (ibot, siameseIM) = (IBOT.Settings(), SiameseIM.Settings())
        #expect(ibot.problem == nil && siameseIM.problem == nil)
        #expect(ibot.sampler.arrays.map(\.shape) == [[2, 224, 224, 3], [10, 96, 96, 3], [392], [12, 7]])
        #expect(ibot.sampler.arrays[2].zeros == 196...392)
        let training = IBOT.Settings.training
        #expect((training.epochs, training.warmupEpochs, training.batch) == (800, 10, 1024) && training.betas == [0.9, 0.999])
        #expect(training.baseLearningRate == 5e-4 && training.minimumLearningRate * 4 == 1e-6 && training.weightDecay == 0.04)
        #expect(IBOT.Settings.endsWarmUpAtPeak && !SiameseIM.Settings.endsWarmUpAtPeak)
        let pairs = SiameseIM.Settings.training
        #expect((pairs.epochs, pairs.warmupEpochs, pairs.batch) == (1600, 40, 4096) && pairs.betas == [0.9, 0.95])
        #expect(pairs.baseLearningRate * 16 == 1e-3 && pairs.weightDecay == 0.05)
        #expect(siameseIM.sampler.arrays[1].zeros == 78...78)
    }
}

/// A step of MAE with a picture of which some patches are visible.
private func step(visible: [Int32]) throws {
    let backend = try TestBackend.cpu.open(threads: 1)
    let recipe = RecipeCase.mae
    let arena = Arena(backend: backend)
    let batch = SampleBatch(samples: [0], of: recipe.recipe.value.sampler, arena: arena) { _, images in
        backend.fill(images, 0.5)
    } visible: { _ in
        [visible]
    }
    recipe.make(on: backend).accumulateGradients(batch, addingTo: backend.array(of: Double.self, count: 1), arena: arena)
}
