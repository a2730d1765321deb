// The peak learning rate where the user names none.
using Scaling.Architectures;

namespace Scaling.Torch;

/// <summary>
/// η = c/d·√(T/256), T tokens a step, c = 0.3 for a cosine. Under standard parametrisation the best rate of Adam falls as 1/d (Yang et al., arXiv 2203.03466): a rate by size alone would be
/// too high for wide shapes and pass for a law in x. The square root of the batch is Adam's rule (Malladi et al., arXiv 2205.10287). The constant was found
/// on dotnet-docs with 20 tokens a parameter, batch 4 × 64, one seed (held out, nats a byte; standard error of the slice 0.010):
/// <code>
/// N      d   f    n/k   rule     0.003  0.006  0.012  0.024
/// 8064   16  68   2/1   0.0188   2.367  2.199  2.060  2.047
/// 8640   20  40   4/2   0.0150   2.209  2.023  1.936  1.927
/// 8448   32  12   4/2   0.0094   2.238  2.124  2.090  2.199
/// 30912  28  152  4/2   0.0107   1.415  1.348  1.334  1.407
/// 31680  44  72   6/3   0.0068   1.356  1.324  1.325  1.371
/// 29184  64  28   6/3   0.0047   1.425  1.446  1.466  1.659
/// </code>
/// The rule itself gave 1.421 on the last shape. Twice the batch had its best rate √2 higher (2.038, 2.012, 2.026 at 0.015, 0.021, 0.030 on 8640 parameters).
///
/// A warm-up–stable–decay schedule holds the peak, and its best peak is lower: c = 0.2. Context 128, batch by <see cref="BatchRule"/>, decay over a fifth, at multiples of c = 0.3:
/// <code>
/// N      d   r    ×0.5   ×1     ×2
/// 16128  16  0.5  1.847  1.856  1.965
/// 16128  16  9.5  1.872  1.785  1.980
/// 16416  36  0.6  1.856  1.860  1.945
/// 16416  36  3.8  1.740  1.811  1.842
/// 47712  28  0.4  1.300  1.308  1.376
/// 47712  28  4.9  1.269  1.288  1.302
/// 47616  64  0.3  1.350  1.377  1.449
/// 47616  64  6.8  1.321  1.336  1.343
/// </code>
/// Nothing larger was tried: check the rule by the sweep's <c>learning_rate_bracket</c>. Worked number: d = 32 and T = 1024 give 0.01875 for a cosine.
/// </summary>
public static class LearningRateRule
{
    private const double Cosine = 0.3;
    private const double Stable = 0.2;

    /// <summary>η of a shape.</summary>
    /// <param name="shape">Its hidden size is used.</param>
    /// <param name="tokensAStep">T, batch times context.</param>
    /// <param name="schedule">Whose peak it is.</param>
    public static double Peak(DecoderShape shape, long tokensAStep, ScheduleKind schedule) =>
        (schedule == ScheduleKind.Cosine ? Cosine : Stable) / shape.Hidden * Math.Sqrt(tokensAStep / 256.0);
}
