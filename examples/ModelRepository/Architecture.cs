// What this repository asks of an architecture. The other half of the record is generated from the study's results.
namespace ModelRepository;

public sealed partial record Architecture
{
    /// <summary>Parameters without embeddings: attention, MLP and the norms.</summary>
    public long Parameters
    {
        get
        {
            long heads = (long)HeadDim * HiddenSize * (NumAttentionHeads + NumKeyValueHeads) * 2; // Q and the output; K and V
            long mlp = 3L * HiddenSize * IntermediateSize;                                        // gate, up and down
            return (NumHiddenLayers * (heads + mlp + (2L * HiddenSize))) + HiddenSize;            // two norms a layer and the last
        }
    }

    /// <summary>Parameters of the embedding, and of the output where it has its own.</summary>
    public long EmbeddingParameters => (TieWordEmbeddings ? 1L : 2L) * VocabSize * HiddenSize;

    /// <summary>Keys and values of one token in all layers, in bfloat16.</summary>
    public long CacheBytesPerToken => 2L * 2 * NumHiddenLayers * NumKeyValueHeads * HeadDim;
}
