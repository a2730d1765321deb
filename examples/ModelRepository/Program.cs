// Uses the shape that the study chose: counts its parameters from the generated record, and sees that the config.json beside the program is of the same shape.
using System.Text.Json;
using ModelRepository;

foreach (var (name, shape) in new[] { ("accurate", Architecture.Accurate), ("efficient", Architecture.Efficient) })
{
    string path = Path.Combine(AppContext.BaseDirectory, "study", "config", name, "config.json");
    using var file = JsonDocument.Parse(File.ReadAllText(path));
    int hidden = file.RootElement.GetProperty("hidden_size").GetInt32();
    if (hidden != shape.HiddenSize)
    {
        Console.Error.WriteLine($"{path} has hidden_size {hidden}, the record {shape.HiddenSize}.");
        return 1;
    }

    Console.WriteLine(
        $"{name,-9} {shape.NumHiddenLayers} × {shape.HiddenSize}, MLP {shape.IntermediateSize}, {shape.NumAttentionHeads}/{shape.NumKeyValueHeads} heads of {shape.HeadDim}: "
        + $"{shape.Parameters:N0} parameters and {shape.EmbeddingParameters:N0} of embeddings, {shape.CacheBytesPerToken:N0} bytes of cache a token");
}

return 0;
