import Base
import Compute
import Models
import WeightFiles

extension WeightFile {
    /// The whole model of a recipe with these weights in `backend`'s memory.
    ///
    /// Throws where the file holds no decoder, or is of another model.
    public func makeRecipe(_ settings: AnyRecipe, backend: any Backend) throws -> any Recipe {
        let recipe = settings.value.makeRecipe(precision: .f32, backend: backend)
        if let missing = recipe.parameters.entries.first(where: { entries[$0.name] == nil }) {
            throw Failure(
                "\(name) holds no '\(missing.name)', which the decoder of its pipeline needs; name a checkpoint of a training,"
                    + " or what 'tandem export --format official' made of one")
        }
        try fill(recipe.parameters, backend)
        return recipe
    }
}
