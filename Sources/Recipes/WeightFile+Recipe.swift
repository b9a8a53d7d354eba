import Base
import Compute
import Models
import WeightFiles

extension WeightFile {
    /// The whole model of a recipe with these weights in `backend`'s memory, and with what the recipe keeps beside them: a teacher, centres,
    /// running values. Counts of steps, which only a training continues from, may be missing.
    ///
    /// Throws where the file holds the encoder alone, or is of another model.
    public func makeRecipe(_ settings: AnyRecipe, backend: any Backend) throws -> any Recipe {
        let recipe = settings.value.makeRecipe(precision: .f32, backend: backend)
        let state = recipe.state.filter { !$0.isCount || entries[$0.name] != nil }
        if let missing = (recipe.parameters.entries.map(\.name) + state.map(\.name)).first(where: { entries[$0] == nil }) {
            throw Failure(
                "\(name) holds no '\(missing)', which the whole model of its pipeline needs; name a checkpoint of a training,"
                    + " or what 'tandem export --format official' made of one")
        }
        try fill(recipe.parameters, backend)
        for part in state { backend.upload(part.values, from: try floats(part.name, shape: part.values.shape)) }
        return recipe
    }
}
