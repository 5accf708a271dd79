"""Operations that change the world, and questions that need several sources. Engine-independent policy lives here."""
